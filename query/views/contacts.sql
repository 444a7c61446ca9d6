-- One row per contact: a customer's call, chat, message thread, e-mail or task from first sign to last.
-- table: contacts
SELECT * FROM internal.contacts
