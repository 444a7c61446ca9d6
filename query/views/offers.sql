-- One row per offer of a waiting contact to an agent.
-- table: offers
SELECT * FROM internal.offers
