"""The pages: one module a subject. They hold no business logic; they ask the door and the engines."""
