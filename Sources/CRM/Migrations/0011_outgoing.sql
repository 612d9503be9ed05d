-- SPDX-License-Identifier: Apache-2.0
-- What goes out: changes of the CRM, delivered to other systems.

alter table run drop constraint run_kind_check;
alter table run add constraint run_kind_check check (kind in ('import', 'replay', 'undo', 'export'));

-- a stretch of the change log and the file or messages made of it: fixed before anything is sent, so that another
-- attempt sends the same under the same name
create table shipment (
  id bigint generated always as identity primary key,
  flow_id int not null references flow on delete cascade,
  -- counts the shipments of a flow: part of the names of files
  no bigint not null,
  after_xid xid8 not null,
  after_seq bigint not null,
  upto_xid xid8 not null,
  upto_seq bigint not null,
  made_at timestamptz not null default now(),
  sent_at timestamptz,
  unique (flow_id, no)
);

create unique index shipment_pending on shipment (flow_id) where sent_at is null;

-- what a flow that sends had before it from its first day on: what was committed then does not go out
create table outgoing_start (
  flow_id int primary key references flow on delete cascade,
  snapshot pg_snapshot not null
);
