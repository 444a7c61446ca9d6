-- The counts of queue_intervals, by what a migration moves as well: one row per platform, site, line
-- of business, group of agents, IVR stage, queue and quarter of an hour of queue entry.
-- table: queue_intervals
-- column platform: Platform
-- column site: Site of the contact
-- column line_of_business: Line of business of the contact
-- column team: Group of agents, as in migration_units
-- column ivr_stage: IVR stage of the contact, as in migration_units
-- column at (UTC): Start of the quarter of an hour, what a comparison takes the day of
-- column day: UTC day of the contacts' partition; a bound on it reads less
SELECT platform, site, line_of_business, team, ivr_stage, queue, interval_start,
       interval_start AS at, day,
       {stay_counts}
FROM (
  SELECT s.*, u.platform, u.site, u.line_of_business, u.team, u.ivr_stage
  FROM callboard.queue_stays s
  JOIN callboard.migration_units u ON u.contact_id = s.contact_id AND u.day = s.day
) f
GROUP BY platform, site, line_of_business, team, ivr_stage, queue, interval_start, day
