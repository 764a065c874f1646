// Loads a vendored script when a page first needs it.
const loading = new Map();

export function vendor(file) {
  if (!loading.has(file)) {
    loading.set(
      file,
      new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = new URL(`../vendor/${file}`, import.meta.url).href;
        script.onload = resolve;
        script.onerror = () => reject(new Error(`${file} did not load`));
        document.head.append(script);
      }),
    );
  }
  return loading.get(file);
}

export const onLoad = (start) => window.htmx.onLoad(start);

// The elements matching `selector` in what htmx has just loaded, itself included.
export function within(root, selector) {
  const found = [...root.querySelectorAll(selector)];
  return root.matches?.(selector) ? [root, ...found] : found;
}
