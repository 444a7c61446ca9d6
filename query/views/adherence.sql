-- One row per planned activity and quarter of an hour: how long it was planned, and how long of that
-- the agent was as planned; both up to the snapshot's now. As planned is: for class available the
-- states available, ringing, talk, hold and wrapup; for paused the states paused and offline; for
-- offline the state offline. Time whose state nobody tells is not as planned. Time for which nothing
-- was planned does not count. Of two plans for the same time each counts.
-- column schedule_id: Planned activity
-- column agent: Agent
-- column activity: Activity in the planner's own word
-- column class: available, paused or offline
-- column interval_start (UTC): Quarter of an hour
-- column scheduled_ms (ms): Planned time in the quarter
-- column adherent_ms (ms): Part of it in which the agent was as planned
-- column unknown_ms (ms): Part of it for which no state is known
WITH plans AS (
  SELECT s.schedule_id, s.agent, s.activity, s.class, CAST(s.started_at AS BIGINT) AS begins,
         least(CAST(s.ended_at AS BIGINT), CAST(c.now AS BIGINT)) AS ends
  FROM internal.schedules s CROSS JOIN internal.clock c
), planned AS (
  SELECT schedule_id, agent, activity, class, begins, ends,
         unnest(range(begins / 900000000, (ends + 899999999) / 900000000)) AS quarter
  FROM plans
  WHERE ends > begins
), cut AS (
  SELECT schedule_id, agent, activity, class, quarter,
         greatest(begins, quarter * 900000000) AS begins, least(ends, (quarter + 1) * 900000000) AS ends
  FROM planned
), states AS (
  SELECT i.agent, i.state, CAST(i.started_at AS BIGINT) AS since,
         CAST(coalesce(i.ended_at, greatest(c.now, i.started_at)) AS BIGINT) AS until
  FROM callboard.agent_intervals i CROSS JOIN internal.clock c
), been AS (
  SELECT agent, state, since, until, unnest(range(since / 900000000, (until + 899999999) / 900000000)) AS quarter
  FROM states
  -- Unknown is what is left of the plan; who never logged out is unknown without end.
  WHERE until > since AND state <> 'unknown'
), met AS (
  SELECT p.schedule_id, p.quarter, b.state, p.class,
         sum(greatest(0, least(p.ends, b.until) - greatest(p.begins, b.since))) AS us
  FROM cut p
  JOIN been b ON b.agent = p.agent AND b.quarter = p.quarter
  GROUP BY p.schedule_id, p.quarter, b.state, p.class
), judged AS (
  SELECT schedule_id, quarter,
         sum(us) AS known,
         sum(CASE WHEN class = 'available' AND state IN ('available', 'ringing', 'talk', 'hold', 'wrapup') THEN us
                  WHEN class = 'paused' AND state IN ('paused', 'offline') THEN us
                  WHEN class = 'offline' AND state = 'offline' THEN us ELSE 0 END) AS adherent
  FROM met
  GROUP BY schedule_id, quarter
)
SELECT p.schedule_id, p.agent, p.activity, p.class,
       arrow_cast(p.quarter * 900000000, 'Timestamp(Microsecond, Some("UTC"))') AS interval_start,
       (p.ends - p.begins) / 1000 AS scheduled_ms,
       coalesce(j.adherent, 0) / 1000 AS adherent_ms,
       (p.ends - p.begins - coalesce(j.known, 0)) / 1000 AS unknown_ms
FROM cut p
LEFT JOIN judged j ON j.schedule_id = p.schedule_id AND j.quarter = p.quarter
