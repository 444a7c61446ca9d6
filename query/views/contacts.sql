-- One row per contact: a customer's call, chat, message thread, e-mail or task from first sign to last.
-- table: contacts
SELECT c.* REPLACE (coalesce(n.id, c.agent) AS agent,
                    CASE WHEN n.id IS NULL THEN c.agents
                         ELSE array_replace_all(c.agents, c.agent, n.id) END AS agents)
FROM internal.agent_names n
RIGHT JOIN internal.contacts c
  ON n.device = c.agent AND n.day = c.day AND starts_with(c.contact_id, n.prefix)
