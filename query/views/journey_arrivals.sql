-- One row per contact that has a number by which one system hands over to another, as the number
-- that it dialled or as its customer.
-- made
-- column b: Contact
-- column source: Platform and instance that told of it
-- column started_at (UTC): First sign of it
-- column number_key: The number as it is compared
-- column role: dialled or caller
-- column queue: Its queue
-- column direction: Its direction
WITH pool AS (
  SELECT number_key FROM internal.numbers
  UNION
  SELECT number_key FROM internal.lease_windows
), ends AS (
  SELECT c.contact_id AS b, c.source, c.started_at, n.number_key, 'dialled' AS role, c.queue, c.direction
  FROM pool n
  JOIN internal.contacts c ON number_key(c.dialled) = n.number_key
  WHERE c.started_at IS NOT NULL
  UNION ALL
  SELECT c.contact_id, c.source, c.started_at, n.number_key, 'caller', c.queue, c.direction
  FROM pool n
  JOIN internal.contacts c ON number_key(c.customer) = n.number_key
  WHERE c.started_at IS NOT NULL
)
SELECT b, min(source) AS source, min(started_at) AS started_at, number_key, max(role) AS role,
       min(queue) AS queue, min(direction) AS direction
FROM ends
GROUP BY b, number_key
