-- One row per span of an agent in a state, each with its contact where it has one; spans of one
-- agent may overlap. agent_intervals is made from these.
-- recent
-- column agent: Agent
-- column state: talk, hold, ringing, wrapup, paused, available, unknown
-- column reason: Reason of a pause
-- column queue: Queue of it
-- column contact_id: Contact; NULL for the agent's own states
-- column started_at (UTC): Start
-- column ended_at (UTC): End; NULL while it lasts
-- column known: 1 where the platform tells when this agent is logged in, else 0
SELECT coalesce(n.id, s.agent) AS agent, s.kind AS state, CAST(NULL AS VARCHAR) AS reason, s.queue,
       s.contact_id, s.started_at, s.ended_at, 0 AS known
FROM internal.agent_names
  AS n
RIGHT JOIN internal.segments
  AS s
  ON n.device = s.agent AND n.day = s.day AND starts_with(s.contact_id, n.prefix)
WHERE s.kind IN ('talk', 'hold', 'wrapup') AND s.agent IS NOT NULL AND s.started_at IS NOT NULL
  AND s.state <> 'lost'
UNION ALL
SELECT agent, 'ringing', NULL, queue, contact_id, offered_at,
       CASE WHEN ended_at IS NULL AND outcome IS NOT NULL THEN offered_at ELSE ended_at END, 0
FROM internal.offers
WHERE agent IS NOT NULL AND offered_at IS NOT NULL AND coalesce(end_basis, '') <> 'timeout'
UNION ALL
SELECT agent,
       CASE WHEN track = 'pause' OR state = 'paused' THEN 'paused'
            WHEN state = 'unknown' THEN 'unknown'
            WHEN track = 'membership' OR state IN ('available', 'reserved', 'wrapup') THEN 'available'
            ELSE 'unknown' END,
       CASE WHEN track = 'pause' OR state = 'paused' THEN coalesce(reason, '') END,
       queue, NULL, started_at, ended_at,
       CASE WHEN track IN ('presence', 'membership') THEN 1 ELSE 0 END
FROM internal.agent_states
WHERE (track = 'presence' AND state <> 'offline')
   OR (track = 'membership' AND state <> 'offline')
   OR (track = 'pause' AND state = 'paused')
