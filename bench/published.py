"""Figures that others have published of their own machines, to be seen beside ours."""

SOURCE = ("Hudson et al., Flight: A FaaS-Based Framework for Complex and Hierarchical Federated "
          "Learning, 2024 (arXiv 2409.16495)")

# Seconds of one round without training, two tiers, by (floats of the model, workers), start-up not
# counted; 128 workers a node, on up to 17 nodes.
FLIGHT_SECONDS = {
    (2, 512): "13.7 to 21",
    (62_006, 512): "13.7 to 21",
    (11_200_000, 512): "206",
    (2, 2048): "32.6",
    (62_006, 2048): "75.3",
}
# Flower's on the same machines, measured by Flight's authors.
FLOWER_SECONDS = {
    (2, 512): "25.1",
    (62_006, 512): "28.4",
    (11_200_000, 512): "196",
}

# Change of traffic by a tree with 256 workers, by its height, in percent: computed from hop counts
# against a flat federation that is routed over the tree and whose models are multicast.
FLIGHT_TRAFFIC = {1: 0.0, 2: -30.6, 4: -50.2, 8: -60.1}
