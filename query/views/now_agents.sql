-- One row per agent seen today or yesterday: the state now, as the open rows of agent_intervals say it.
-- column agent: Agent
-- column state: offline, available, ringing, talk, hold, wrapup, paused, unknown
-- column reason: Reason of a pause
-- column since (UTC): Since when
-- column for_ms (ms): For how long
-- column contact_id: Contact of this state; where there are several, the one that began first
-- column queue: Queue of that contact
WITH parts AS (
  -- A contact on hold is not the one talked to.
  SELECT agent, contact_id, min(started_at) AS started_at, max(queue) AS queue,
         CASE min(CASE state WHEN 'hold' THEN 1 WHEN 'talk' THEN 2 WHEN 'ringing' THEN 3 ELSE 4 END)
              WHEN 1 THEN 'hold' WHEN 2 THEN 'talk' WHEN 3 THEN 'ringing' ELSE 'wrapup' END AS state
  FROM internal.agent_spans_recent
  WHERE ended_at IS NULL AND contact_id IS NOT NULL
  GROUP BY agent, contact_id
), work AS (
  SELECT agent, state, first_value(contact_id ORDER BY started_at, contact_id) AS contact_id,
         first_value(queue ORDER BY started_at, contact_id) AS queue
  FROM parts
  GROUP BY agent, state
)
SELECT s.agent,
       CASE WHEN s.state <> 'none' THEN s.state WHEN s.known = 0 THEN 'unknown' ELSE 'offline' END AS state,
       s.reason, s.started_at AS since,
       greatest(0, CAST(c.now AS BIGINT) - CAST(s.started_at AS BIGINT)) / 1000 AS for_ms,
       w.contact_id, w.queue
FROM internal.agent_steps_recent s
CROSS JOIN internal.clock c
LEFT JOIN work w ON w.agent = s.agent AND w.state = s.state
WHERE s.ended_at IS NULL
