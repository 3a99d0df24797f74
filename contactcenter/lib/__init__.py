"""Leaf modules: they import no app and no Django, so that anything may import them."""
