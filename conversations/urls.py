"""The inbox. Included at ``/inbox/``."""

from django.urls import path

from conversations import views

urlpatterns = [
    path("", views.index, name="inbox"),
    path("list/", views.list_fragment, name="inbox-list"),
    path("<int:pk>/", views.conversation, name="conversation"),
    path("<int:pk>/thread/", views.thread_fragment, name="conversation-thread"),
    path("<int:pk>/panel/", views.panel_fragment, name="conversation-panel"),
    path("<int:pk>/messages/", views.message_send, name="message-send"),
    path("<int:pk>/no-answer-needed/", views.no_answer_needed, name="conversation-no-answer-needed"),
    path("<int:pk>/read/", views.read, name="conversation-read"),
    path("messages/<int:pk>/retry/", views.message_retry, name="message-retry"),
    path("messages/<int:pk>/cancel/", views.message_cancel, name="message-cancel"),
]
