"""The kinds of jobs that the core knows how to do: handed to whoever works through the queue."""

from __future__ import annotations

from types import MappingProxyType

from trellis import webhooks
from trellis.backup import jobs as backup
from trellis.crm.analytics import product_figures, refreshing
from trellis.crm.customers import expiring, sending
from trellis.crm.marketing.journeys import hearing, mailing, moving, reaching, running, waking
from trellis.crm.sales.reports import sending as reports
from trellis.crm.service import escalating, reminding
from trellis.i18n import translator
from trellis.jobs import JobKind, Kinds
from trellis.kpi import closing
from trellis.letters import writing
from trellis.notifications import sending as notifications
from trellis.notifications.kinds import tell_of_job
from trellis.notifications.notify import MAIL_JOB as NOTIFICATION_MAIL
from trellis.process import jobs as process
from trellis.process.calling import CALL_JOB, work_call
from trellis.process.deadlines import LATE_JOB
from trellis.process.events import EVENT_JOB
from trellis.process.operations import MAIL_JOB
from trellis.process.runs import TIMER_JOB
from trellis.process.schedule import PLAN_JOB, SCHEDULE_JOB
from trellis.process.telling import QUEUE_JOB
from trellis.records import audit, export_job
from trellis.records.importer import runs

_ = translator("trellis")

JOB_KINDS: Kinds = MappingProxyType(
    {
        runs.KIND: JobKind(_("Import"), runs.work, told=tell_of_job),
        export_job.KIND: JobKind(_("Export"), export_job.work, told=tell_of_job),
        refreshing.KIND: JobKind(_("Figures of the day"), refreshing.work, daily=True),
        product_figures.KIND: JobKind(_("Figures of products"), product_figures.work, daily=True),
        closing.KIND: JobKind(_("Figures of closed periods"), closing.work, daily=True),
        reports.DUE: JobKind(_("Report that is due"), reports.work_due),
        reports.DELIVERY: JobKind(_("Report"), reports.work_delivery),
        escalating.KIND: JobKind(_("Escalation of a case"), escalating.work),
        escalating.ANEW: JobKind(_("Escalations anew"), escalating.work_anew),
        writing.KIND: JobKind(_("Mail"), writing.work, told=writing.tell_of_failure),
        reminding.KIND: JobKind(_("Reminder"), reminding.work),
        audit.KIND: JobKind(_("Audit trail"), audit.work, for_administrators=True),
        webhooks.KIND: JobKind(_("Webhook"), webhooks.work, for_administrators=True),
        backup.BACKUP: JobKind(_("Backup"), backup.work_backup, for_administrators=True),
        backup.COPY: JobKind(_("Copy of the workspace"), backup.work_copy, for_administrators=True),
        TIMER_JOB: JobKind(_("Timer of a process"), process.work_timer),
        QUEUE_JOB: JobKind(_("Tasks in a queue"), process.work_queue),
        LATE_JOB: JobKind(_("Late task of a process"), process.work_late),
        EVENT_JOB: JobKind(_("Event for processes"), process.work_event),
        SCHEDULE_JOB: JobKind(_("Start of a process by the clock"), process.work_schedule),
        PLAN_JOB: JobKind(_("Times of processes"), process.work_plan, daily=True),
        expiring.KIND: JobKind(_("Days of agreements"), expiring.work, daily=True),
        sending.KIND: JobKind(_("Invitations to a survey"), sending.work),
        waking.KIND: JobKind(_("Steps of a journey"), moving.work),
        hearing.KIND: JobKind(_("Event for journeys"), hearing.work),
        reaching.DAILY: JobKind(_("Goals of journeys"), reaching.work_daily, daily=True),
        running.ENTRY: JobKind(_("Customers onto a journey"), running.work_entry, told=tell_of_job),
        mailing.KIND: JobKind(_("Mails of a journey"), mailing.work),
        NOTIFICATION_MAIL: JobKind(_("Notification by mail"), notifications.work_mail),
        notifications.FORGET_JOB: JobKind(_("Old notifications"), notifications.work_forget, daily=True),
        MAIL_JOB: JobKind(_("Mail of a process"), process.work_mail),
        CALL_JOB: JobKind(_("Call of a process"), work_call),
        backup.RESTORE: JobKind(_("Workspace from a backup"), backup.work_restore, for_administrators=True),
    }
)
