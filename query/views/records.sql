-- One row per record as it arrived: the raw bytes and what the door stamped on them.
-- table: records
SELECT * FROM internal.records
