-- One row per agent, quarter of an hour and state: the time the agent spent in it, split exactly
-- at the quarter's borders; what still lasts counts up to the snapshot's now. Time of which nobody
-- tells the state counts for 24 hours at a stretch: who is not heard of for longer is no agent
-- whose time anybody counts, and a login of years ago whose end was never told is no time at work.
-- ranged: interval_start
-- column agent: Agent
-- column interval_start (UTC): Start of the quarter of an hour
-- column state: offline, available, ringing, talk, hold, wrapup, paused, unknown (for 24 hours at a stretch)
-- column ms (ms): Time in that state within the quarter
WITH spans AS (
  SELECT i.agent, i.state, CAST(i.started_at AS BIGINT) AS since,
         CAST(coalesce(i.ended_at, greatest(c.now, i.started_at)) AS BIGINT) AS until
  FROM callboard.agent_intervals i CROSS JOIN internal.clock c
), asked AS (
  SELECT agent, state, greatest(since, CAST($1 AS BIGINT)) AS since,
         least(CASE WHEN state = 'unknown' THEN least(until, since + 86400000000) ELSE until END,
               CAST($2 AS BIGINT)) AS until
  FROM spans
), cut AS (
  SELECT agent, state, since, until,
         unnest(range(since / 900000000, (until + 899999999) / 900000000)) AS quarter
  FROM asked
  WHERE until > since
)
SELECT agent, arrow_cast(quarter * 900000000, 'Timestamp(Microsecond, Some("UTC"))') AS interval_start, state,
       sum(least(until, (quarter + 1) * 900000000) - greatest(since, quarter * 900000000)) / 1000 AS ms
FROM cut
GROUP BY agent, quarter, state
