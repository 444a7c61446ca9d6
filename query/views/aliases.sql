-- One row per other name of a thing: what the platforms themselves say (a contact's platform ids and
-- former ids), and what the files of identities say (agents, queues, sites, lines of business,
-- customers, numbers).
-- column entity: contact, agent, queue, site, line_of_business, customer or number
-- column platform: Platform and instance that uses the name, /platform/instance; of a number where it leads from
-- column native: The platform's name; of a number the number
-- column id: Identity that stands; of a number where it leads to
-- column valid_from (UTC): From when; NULL = always
-- column valid_to (UTC): Until when, not included; NULL = still
-- column day: Partition; NULL for what the files say
-- column origin: platform, or file: agents.csv and the others of the configured folder
-- column site: Site of an agent or queue, as the file says
-- column line_of_business: Its line of business
-- column team: Its team
SELECT entity, platform, native, id, valid_from, valid_to, day, 'platform' AS origin,
       CAST(NULL AS VARCHAR) AS site, CAST(NULL AS VARCHAR) AS line_of_business,
       CAST(NULL AS VARCHAR) AS team
FROM internal.aliases
UNION ALL
SELECT entity, platform, native, id, valid_from, valid_to, CAST(NULL AS DATE), 'file',
       site, line_of_business, team
FROM internal.names
