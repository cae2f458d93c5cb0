"""tiewatch: tells customer-success teams which customer relationship is going quiet."""
