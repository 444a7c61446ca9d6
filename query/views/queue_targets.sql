-- One row per target of a queue, with the time in which it holds; a new target does not restate the past.
-- table: queue_targets
SELECT * FROM internal.queue_targets
