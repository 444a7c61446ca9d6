-- One row per contact: a customer's call, chat, message thread, e-mail or task from first sign to last.
-- Where a contact arrived from a number of a pool, its customer is that of the number's lease.
-- table: contacts
SELECT c.* REPLACE (coalesce(l.customer, c.customer) AS customer,
                    coalesce(n.id, c.agent) AS agent,
                    CASE WHEN n.id IS NULL THEN c.agents
                         ELSE array_replace_all(c.agents, c.agent, n.id) END AS agents)
FROM internal.lease_slots l
RIGHT JOIN (
  internal.agent_names n
  RIGHT JOIN internal.contacts c
    ON n.device = c.agent AND n.day = c.day AND starts_with(c.contact_id, n.prefix)
)
  ON l.number_key = number_key(c.customer) AND l.slot = CAST(c.started_at AS BIGINT) / 300000000
 AND CAST(c.started_at AS BIGINT) >= l.from_us AND CAST(c.started_at AS BIGINT) < l.to_us
 AND NOT l.twice AND coalesce(c.direction, 'inbound') = 'inbound'
