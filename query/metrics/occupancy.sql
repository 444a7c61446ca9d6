-- title: Occupancy
-- meaning: Share of the time at work or ready in which the agent was with a contact
-- unit: ratio
-- source: (talk + hold + wrap-up + ringing) / (that + available); Amazon Connect occupancy
-- attribution: Agent time is split exactly at the quarter's borders
-- told: CASE WHEN sum(CASE WHEN state = 'unknown' THEN ms ELSE 0 END) <= 0.05 * sum(CASE WHEN state <> 'offline' THEN ms ELSE 0 END) THEN nullif(sum(CASE WHEN state = 'available' THEN ms ELSE 0 END), 0) END
-- untold: does not tell when its agents are ready
-- base: agent_time
-- dims: agent, interval_start
CAST(sum(CASE WHEN state IN ('talk', 'hold', 'wrapup', 'ringing') THEN ms ELSE 0 END) AS DOUBLE) / nullif(sum(CASE WHEN state IN ('talk', 'hold', 'wrapup', 'ringing', 'available') THEN ms ELSE 0 END), 0)
