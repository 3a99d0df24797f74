"""The inbox. Included at ``/inbox/``."""

from django.urls import path

from conversations import actions, draft_views, note_views, scheduled_views, starting_views, transfer_views, views

urlpatterns = [
    path("", views.index, name="inbox"),
    path("list/", views.list_fragment, name="inbox-list"),
    path("<int:pk>/", views.conversation, name="conversation"),
    path("<int:pk>/thread/", views.thread_fragment, name="conversation-thread"),
    path("<int:pk>/panel/", views.panel_fragment, name="conversation-panel"),
    path("<int:pk>/messages/", actions.message_send, name="message-send"),
    path("<int:pk>/no-answer-needed/", actions.no_answer_needed, name="conversation-no-answer-needed"),
    path("<int:pk>/resolve/", actions.resolve, name="conversation-resolve"),
    path("<int:pk>/reopen/", actions.reopen, name="conversation-reopen"),
    path("<int:pk>/snooze/", actions.snooze, name="conversation-snooze"),
    path("<int:pk>/assign/", actions.assign, name="conversation-assign"),
    path("<int:pk>/draft/", draft_views.save, name="draft-save"),
    path("<int:pk>/transfer/", transfer_views.transfer, name="conversation-transfer"),
    path("availability/", actions.availability, name="availability"),
    path("<int:pk>/read/", actions.read, name="conversation-read"),
    path("<int:pk>/unread/", actions.mark_unread, name="conversation-unread"),
    path("<int:pk>/owners/", views.owners, name="conversation-owners"),
    path("<int:pk>/contact/form/", views.contact_form, name="contact-form"),
    path("<int:pk>/contact/", actions.contact_edit, name="contact-edit"),
    path("<int:pk>/tags/", actions.tag_add, name="tag-add"),
    path("<int:pk>/tags/<int:tag>/remove/", actions.tag_remove, name="tag-remove"),
    path("messages/<int:pk>/details/", views.message_details, name="message-details"),
    path("messages/<int:pk>/retry/", actions.message_retry, name="message-retry"),
    path("messages/<int:pk>/cancel/", actions.message_cancel, name="message-cancel"),
    path("undo/", actions.undo, name="undo"),
    path("scheduled/", scheduled_views.index, name="scheduled"),
    path("scheduled/<int:pk>/", scheduled_views.change, name="scheduled-change"),
    path("bulk/", actions.several, name="conversations-bulk"),
    path("new/", starting_views.new, name="conversation-new"),
    path("<int:pk>/dispositions/", views.dispositions, name="conversation-dispositions"),
    path("<int:pk>/block/", actions.block, name="conversation-block"),
    path("<int:pk>/unblock/", actions.unblock, name="conversation-unblock"),
    path("<int:pk>/notes/", note_views.write, name="note-write"),
    path("<int:pk>/notes/seen/", note_views.seen, name="notes-seen"),
    path("colleagues/", note_views.colleagues, name="colleagues"),
    path("mentions/", note_views.mentions, name="mentions"),
]
