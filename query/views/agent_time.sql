-- One row per agent, quarter of an hour and state: the time the agent spent in it, split exactly
-- at the quarter's borders; what still lasts counts up to the snapshot's now.
-- column agent: Agent
-- column interval_start (UTC): Start of the quarter of an hour
-- column state: offline, available, ringing, talk, hold, wrapup, paused, unknown
-- column ms (ms): Time in that state within the quarter
WITH ended AS (
  SELECT i.agent, i.state, i.started_at, coalesce(i.ended_at, greatest(c.now, i.started_at)) AS ended_at
  FROM callboard.agent_intervals i CROSS JOIN internal.clock c
), cut AS (
  SELECT agent, state, started_at, ended_at,
         unnest(range(CAST(started_at AS BIGINT) / 900000000,
                      (CAST(ended_at AS BIGINT) + 899999999) / 900000000)) AS quarter
  FROM ended
  WHERE ended_at > started_at
)
SELECT agent, arrow_cast(quarter * 900000000, 'Timestamp(Microsecond, Some("UTC"))') AS interval_start, state,
       sum((least(CAST(ended_at AS BIGINT), (quarter + 1) * 900000000)
            - greatest(CAST(started_at AS BIGINT), quarter * 900000000))) / 1000 AS ms
FROM cut
GROUP BY agent, quarter, state
