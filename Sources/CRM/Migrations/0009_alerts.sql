-- SPDX-License-Identifier: Apache-2.0
-- What somebody is told without asking: files that did not come, jobs that were given up.

-- by when something must have been received; kept with the current version of the flow
create table flow_expectation (
  flow_id int primary key references flow on delete cascade,
  cron text not null,
  zone text not null,
  holidays text,
  next_at timestamptz,
  -- what came after this counts
  since timestamptz not null default now()
);

create index flow_expectation_next on flow_expectation (next_at) where next_at is not null;

create table alert (
  id bigint generated always as identity primary key,
  flow_id int not null references flow on delete cascade,
  kind text not null check (kind in ('late', 'failed')),
  -- when it was expected, or when it was given up: told once, whoever notices
  nominal_at timestamptz not null,
  facts jsonb not null,
  at timestamptz not null default now(),
  mailed_at timestamptz,
  posted_at timestamptz,
  unique (flow_id, kind, nominal_at)
);
