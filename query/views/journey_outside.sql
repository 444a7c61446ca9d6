-- One row per number outside to which a customer was led, or that was called for him: nobody tells
-- of what happened there, so that it is a step of a journey without a contact.
-- made
-- column contact_id: Contact that led there
-- column outside: The number, as the platform tells it
-- column evidence: What says so
-- column at (UTC): When
WITH led AS (
  SELECT contact_id, number_key(target) AS number_key, min(target) AS number,
         -- A talk ends with the transfer; a call to the number begins it.
         min(CASE WHEN kind = 'dial' THEN coalesce(started_at, ended_at)
                  ELSE coalesce(ended_at, started_at) END) AS at,
         max(CASE WHEN kind = 'dial' THEN NULL ELSE coalesce(ended_at, started_at) END) AS handed_at
  FROM internal.segments
  WHERE target_kind = 'external' AND target IS NOT NULL AND number_key(target) IS NOT NULL
    -- Who was called and did not answer is no step.
    AND (kind <> 'dial' OR outcome = 'answered')
  GROUP BY contact_id, number_key(target)
), abroad AS (
  SELECT l.contact_id, l.number_key, l.number, l.at, l.handed_at
  FROM led l
  JOIN internal.contacts c ON c.contact_id = l.contact_id
  -- Calling the customer himself leads nowhere else.
  WHERE l.at IS NOT NULL AND l.number_key <> coalesce(number_key(c.customer), '')
    AND (c.customer IS NOT NULL OR coalesce(c.direction, '') <> 'outbound')
), pool AS (
  -- Numbers of ours: by which one system hands over to another, or at which a contact arrived.
  SELECT number_key FROM internal.numbers
  UNION
  SELECT number_key FROM internal.lease_windows
  UNION
  SELECT number_key(dialled) FROM internal.contacts WHERE dialled IS NOT NULL
), linked AS (
  -- The platform itself says which contact the transfer led to.
  SELECT w.x, w.at
  FROM (SELECT a AS x, b AS y, at FROM internal.journey_edges WHERE strength = 'stated'
        UNION ALL
        SELECT b, a, at FROM internal.journey_edges WHERE strength = 'stated') w
  JOIN internal.contacts o ON o.contact_id = w.y
  WHERE abs(CAST(o.started_at AS BIGINT) - CAST(w.at AS BIGINT)) <= 65000000
)
SELECT o.contact_id, o.number AS outside,
       concat(CASE WHEN o.handed_at IS NULL THEN 'called ' ELSE 'transferred to ' END, o.number,
              ' at ', CAST(coalesce(o.handed_at, o.at) AS VARCHAR),
              '; no contact that is told of arrived at that number') AS evidence,
       o.at
FROM abroad o
LEFT JOIN pool p ON p.number_key = o.number_key
LEFT JOIN linked l
  ON l.x = o.contact_id AND o.handed_at IS NOT NULL
  AND abs(CAST(l.at AS BIGINT) - CAST(o.handed_at AS BIGINT)) <= 65000000
WHERE p.number_key IS NULL AND l.x IS NULL
