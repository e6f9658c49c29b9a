-- Models that somebody registers stand beside the shipped ones. Where a model came from decides whether its file may be taken over when another
-- one lies in its place: a shipped one's may, a registered version stays what it is.
-- The column gets a constant default, so no row is rewritten; table and index are locked for the moment that a table of some models needs.

-- +goose Up
ALTER TABLE models
    ADD COLUMN origin text NOT NULL DEFAULT 'shipped',
    ADD CONSTRAINT models_origin_is_known CHECK (origin IN ('shipped', 'registered'));

-- One file is one version of its name, however often it is offered. A broken row may repeat it: somebody copied a folder.
CREATE UNIQUE INDEX models_registered_file_once ON models (name, sha256) WHERE origin = 'registered' AND state = 'ready';

-- +goose Down
-- Registered models are left behind like shipped ones; the next start without this column finds their files gone, and lists them as broken.
DROP INDEX models_registered_file_once;
ALTER TABLE models DROP COLUMN origin;
