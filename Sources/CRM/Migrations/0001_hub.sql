-- SPDX-License-Identifier: Apache-2.0
-- Where data comes from, the runs that brought it, and what they could not apply.

create extension if not exists unaccent;
create extension if not exists pg_trgm;

create table source_system (
  id int generated always as identity primary key,
  code text not null unique,
  kind text not null check (kind in ('erp', 'crm', 'person', 'directory')),
  -- the higher, the more its claims are believed; a person outranks every system
  trust int not null default 50 check (trust between 0 and 100)
);

insert into source_system (code, kind, trust) values ('crm', 'crm', 60), ('erp', 'erp', 50), ('person', 'person', 100);

create table mapping_version (
  id bigint generated always as identity primary key,
  name text not null,
  version int not null,
  text text not null,
  created_at timestamptz not null default now()
);

-- the text itself would be too long for an index entry
create unique index mapping_version_text on mapping_version (name, version, md5(text));

create table blob (
  sha256 bytea primary key check (length(sha256) = 32),
  size bigint not null check (size >= 0),
  created_at timestamptz not null default now()
);

-- pieces of 1 MiB, so that neither side ever holds a whole file
create table blob_chunk (
  sha256 bytea not null references blob on delete cascade,
  no int not null,
  bytes bytea not null,
  primary key (sha256, no)
);

alter table blob_chunk alter column bytes set storage external;

create table run (
  id bigint generated always as identity primary key,
  kind text not null check (kind in ('import')),
  source_id int not null references source_system,
  state text not null default 'running' check (state in ('running', 'succeeded', 'partial', 'failed')),
  started_at timestamptz not null default now(),
  finished_at timestamptz,
  error jsonb,
  read bigint not null default 0,
  inserted bigint not null default 0,
  updated bigint not null default 0,
  unchanged bigint not null default 0,
  quarantined bigint not null default 0,
  skipped bigint not null default 0,
  constraint run_ledger check (read = inserted + updated + unchanged + quarantined + skipped),
  constraint run_finished check ((state = 'running') = (finished_at is null))
);

create table artifact (
  id bigint generated always as identity primary key,
  run_id bigint not null references run,
  sha256 bytea not null references blob,
  name text not null,
  size bigint not null,
  mapping_version_id bigint references mapping_version,
  received_at timestamptz not null default now(),
  -- set when every record of the file has been applied, quarantined or skipped
  finished_at timestamptz,
  quarantined bigint not null default 0,
  error jsonb
);

create index artifact_run on artifact (run_id);
create index artifact_sha256 on artifact (sha256, id);

create table run_batch (
  run_id bigint not null references run,
  no int not null,
  artifact_id bigint not null references artifact,
  first_ordinal bigint not null,
  last_ordinal bigint not null,
  inserted int not null,
  updated int not null,
  unchanged int not null,
  quarantined int not null,
  skipped int not null,
  committed_at timestamptz not null default now(),
  primary key (run_id, no)
);

-- updates and deletions only; an inserted row is known by its created_run
create table run_change (
  run_id bigint not null,
  entity text not null,
  entity_id bigint not null,
  op text not null check (op in ('update', 'delete')),
  before jsonb not null,
  version_after int not null,
  at timestamptz not null default now()
) partition by range (at);

create table run_change_default partition of run_change default;
create index run_change_run on run_change (run_id, entity, entity_id);

create table quarantine (
  id bigint generated always as identity primary key,
  run_id bigint not null references run,
  artifact_id bigint not null references artifact,
  mapping_version_id bigint references mapping_version,
  -- 0 = the whole file
  ordinal bigint not null,
  line bigint,
  byte_start bigint,
  byte_end bigint,
  -- the record as it stands in the file; null where it is only kept with the artifact (larger than 1 MiB)
  raw bytea,
  stage text not null check (stage in ('parse', 'map', 'validate', 'match', 'write')),
  field text,
  code text not null,
  value text,
  facts jsonb not null default '{}',
  findings jsonb not null default '[]',
  status text not null default 'open' check (status in ('open', 'fixed', 'replayed', 'ignored')),
  replay_run_id bigint references run,
  created_at timestamptz not null default now()
);

create index quarantine_run on quarantine (run_id, id);
create index quarantine_open on quarantine (code, field) where status = 'open';
create index quarantine_artifact on quarantine (artifact_id, ordinal);

-- read by (xid, seq): sequence numbers become visible out of order
create table change_log (
  seq bigint generated always as identity,
  xid xid8 not null default pg_current_xact_id(),
  at timestamptz not null default now(),
  entity text not null,
  entity_id bigint not null,
  op text not null check (op in ('insert', 'update', 'delete')),
  fields text[] not null default '{}',
  source_id int,
  run_id bigint,
  user_id bigint
) partition by range (at);

create table change_log_default partition of change_log default;
create index change_log_position on change_log (xid, seq);
create index change_log_entity on change_log (entity, entity_id, seq);
