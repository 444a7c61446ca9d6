-- One row per input that could not become a record, with its reason and its bytes.
-- table: dead_letters
SELECT * FROM internal.dead_letters
