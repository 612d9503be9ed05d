-- SPDX-License-Identifier: Apache-2.0
-- Files handed over by HTTP, which wait for their flow.

create table upload (
  id bigint generated always as identity primary key,
  flow_id int not null references flow on delete cascade,
  sha256 bytea not null references blob,
  name text not null,
  size bigint not null,
  received_at timestamptz not null default now(),
  -- the same bytes for the same flow are the same upload, however often they are sent
  unique (flow_id, sha256)
);

create index upload_flow on upload (flow_id, id);
-- sweeping a blob looks for who names it
create index upload_sha256 on upload (sha256);

-- how long records have waited for a person
create index quarantine_waiting on quarantine (created_at) where status in ('open', 'fixed');
