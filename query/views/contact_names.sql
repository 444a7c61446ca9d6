-- Every other name of a contact with the identity that stands; a name that two contacts share
-- (two platforms may count alike) leads to the lesser identity.
-- hidden
-- column native: Former identity, or a platform's own id
-- column id: Identity that stands
SELECT native, min(id) AS id
FROM internal.aliases
WHERE entity = 'contact'
GROUP BY native
