// SPDX-License-Identifier: Apache-2.0
// A stretch of the change log on its way out: fixed before anything is sent, so that every attempt sends the same.

internal import CRM
internal import Diagnostics
internal import Model
internal import PostgreSQL

/// A shipment of a flow.
struct Shipment: Sendable, Hashable {
    /// Its number.
    let id: Int
    /// Its number among the flow's, from 1: part of the names of files.
    let no: Int
    let after: ChangeLog.Position
    let upTo: ChangeLog.Position
    /// The day it was made.
    let day: CalendarDate

    /// Changes of the log that one shipment looks at.
    static let most = 10_000

    /// Under which name the log keeps the flow's place.
    private static func reader(_ flow: Int) -> String { "flow:\(flow)" }

    /// Makes a flow read the log from its start or from now on, unless it reads already.
    static func begin(_ flow: Int, _ outgoing: FlowOutgoing, on connection: Connection) async throws {
        try await ChangeLog.begin(reader(flow), fromStart: outgoing.isFromStart, on: connection)
        if !outgoing.isFromStart { try await connection.execute(StartOutgoing(flow: flow)) }
    }

    /// The shipment that an attempt before did not end, or the next one; nil when nothing has changed.
    ///
    /// Stretches without a change of the entity are passed over.
    static func next(
        _ flow: Int, _ outgoing: FlowOutgoing, on connection: Connection,
        fence: (Connection) async throws -> Void
    ) async throws -> Shipment? {
        while true {
            let found: (shipment: Shipment?, isEnd: Bool) = try await connection.transaction { connection in
                try await fence(connection)
                if let pending = try await connection.run(PendingShipment(flow: flow)).first {
                    return (pending, true)
                }
                let after = try await ChangeLog.cursor(reader(flow), on: connection)
                let changes = try await ChangeLog.read(after: after, limit: most, on: connection)
                guard let upTo = changes.last?.position else { return (nil, true) }
                let rows = try await outgoing.entity.changed(
                    after: after, upTo: upTo, except: outgoing.except, for: flow, on: connection)
                if rows.isEmpty {
                    try await ChangeLog.keep(upTo, as: reader(flow), on: connection)
                    return (nil, false)
                }
                let made = try await connection.run(MakeShipment(flow: flow, after: after, upTo: upTo))
                return (made.first, true)
            }
            if found.isEnd { return found.shipment }
        }
    }

    /// Notes that all of it was sent.
    func end(_ flow: Int, on connection: Connection) async throws(PostgreSQLError) {
        try await connection.execute(EndShipment(id: id))
        try await ChangeLog.keep(upTo, as: Self.reader(flow), on: connection)
    }
}

struct PendingShipment: Statement {
    let flow: Int

    static let sql = """
        select id, no, after_xid, after_seq, upto_xid, upto_seq, made_at::date from shipment
        where flow_id = $1::bigint and sent_at is null
        """
    var parameters: [Parameter] { [Parameter(flow)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Shipment {
        Shipment(
            id: try row.next(), no: try row.next(),
            after: ChangeLog.Position(transaction: try row.next(), sequence: try row.next()),
            upTo: ChangeLog.Position(transaction: try row.next(), sequence: try row.next()),
            day: try row.next())
    }
}

struct MakeShipment: Statement {
    let flow: Int
    let after: ChangeLog.Position
    let upTo: ChangeLog.Position

    static let sql = """
        insert into shipment (flow_id, no, after_xid, after_seq, upto_xid, upto_seq)
        select $1::bigint, 1 + coalesce(max(no), 0), $2::text::xid8, $3::bigint, $4::text::xid8, $5::bigint
        from shipment
        where flow_id = $1::bigint
        returning id, no, after_xid, after_seq, upto_xid, upto_seq, made_at::date
        """
    var parameters: [Parameter] {
        [
            Parameter(flow), Parameter(String(after.transaction)), Parameter(after.sequence),
            Parameter(String(upTo.transaction)), Parameter(upTo.sequence),
        ]
    }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Shipment {
        try PendingShipment.decode(&row)
    }
}

struct EndShipment: Statement {
    let id: Int

    static let sql = "update shipment set sent_at = now() where id = $1::bigint"
    var parameters: [Parameter] { [Parameter(id)] }
}

/// Unless the flow began before.
struct StartOutgoing: Statement {
    let flow: Int

    static let sql = """
        insert into outgoing_start (flow_id, snapshot) select $1::bigint, pg_current_snapshot()
        where not exists (select from shipment where flow_id = $1::bigint)
        on conflict do nothing
        """
    var parameters: [Parameter] { [Parameter(flow)] }
}
