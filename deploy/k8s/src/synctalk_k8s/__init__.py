"""Rendering and checking the Kubernetes manifests, without a cluster and without a network."""
