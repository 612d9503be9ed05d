-- SPDX-License-Identifier: Apache-2.0
-- What a file's columns are, and what was noticed about the file as a whole.

alter table artifact
  drop column error,
  -- names of the columns, for tables that have names
  add column columns text[],
  -- warnings about the file as a whole
  add column findings jsonb not null default '[]';

create index artifact_mapping on artifact (mapping_version_id, id);
