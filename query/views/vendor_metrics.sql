-- One row per figure that a platform computed itself, in its own name and unit: beside ours, never
-- mixed in.
-- table: vendor_metrics
SELECT * FROM internal.vendor_metrics
