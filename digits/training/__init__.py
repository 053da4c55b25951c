"""From MNIST to a bundle: networks, augmentation, the training loop, report and export."""
