-- name: ServerSecretOffer :exec
-- Every instance offers a key of its own at its start; the first one stays.
INSERT INTO server_secret (secret) VALUES (@secret) ON CONFLICT ON CONSTRAINT server_secret_one_row DO NOTHING;

-- name: ServerSecretGet :one
-- The key that stands, read once at the start, right after the offer.
SELECT secret FROM server_secret;
