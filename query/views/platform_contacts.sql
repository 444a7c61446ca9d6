-- The contacts with what a migration moves them by, as in migration_units.
-- table: contacts
-- column platform: Platform
-- column team: Group of agents
-- column ivr_stage: IVR stage
-- column at (UTC): First sign, what a comparison takes the day of
SELECT c.*, u.platform, u.team, u.ivr_stage, c.started_at AS at
FROM callboard.contacts c
JOIN callboard.migration_units u ON u.contact_id = c.contact_id AND u.day = c.day
