"""What a supporter needs of an app-data folder, without what is nobody's business."""
