-- Agents by the device that reached them on a UTC day, where that was one agent's alone: calls that
-- came to an agent past the queues are told by the device only.
-- hidden
-- recent
-- column day: UTC day
-- column prefix: Beginning of the instance's contact ids
-- column device: Device
-- column id: The agent
SELECT day, concat(split_part(source, '/', 3), '-') AS prefix, device, min(agent) AS id
FROM internal.agent_states
WHERE device IS NOT NULL
GROUP BY day, source, device
HAVING min(agent) = max(agent)
