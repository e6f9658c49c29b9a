-- The key that signs resume tokens. It lives in the database because every instance, and the server after a restart, must accept
-- the tokens of every other. It only creates a table, so it locks nothing that anyone uses yet.

-- +goose Up
CREATE TABLE server_secret (
    one_row    boolean     NOT NULL DEFAULT true,
    secret     bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT server_secret_one_row PRIMARY KEY (one_row),
    CONSTRAINT server_secret_no_second_row CHECK (one_row),
    CONSTRAINT server_secret_is_32_bytes CHECK (octet_length(secret) = 32)
);

-- +goose Down
-- Tokens that are out become worthless: their streams start again instead of resuming.
DROP TABLE server_secret;
