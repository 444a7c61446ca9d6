-- One row per settled contact, agent or recording that a late record changed.
-- table: corrections
SELECT * FROM internal.corrections
