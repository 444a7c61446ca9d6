-- One row per planned activity of an agent.
-- table: schedules
SELECT * FROM internal.schedules
