"""The product's settings with one worker in the cluster for replies: ``bench.sends`` counts them by clusters."""

from contactcenter.settings import *  # noqa: F403 everything else is as it is
from contactcenter.settings import Q_CLUSTER

clusters = {"agents": {"workers": 1, "queue_limit": 1}, "campaigns": {"workers": 1, "queue_limit": 1}}
Q_CLUSTER = Q_CLUSTER | {"ALT_CLUSTERS": clusters}
