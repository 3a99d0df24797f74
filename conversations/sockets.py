"""Where sockets connect."""

from django.urls import path

from conversations.consumers import LiveConsumer

websocket_urlpatterns = [path("ws/", LiveConsumer.as_asgi())]
