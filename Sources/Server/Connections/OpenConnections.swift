// SPDX-License-Identifier: Apache-2.0
// The open connections of this process, which threads of the network share.

internal import Glibc
internal import NIOCore
internal import Synchronization

/// Lets connections in, and closes one for another where there is no room.
final class OpenConnections: Sendable {
    private struct State: ~Copyable {
        var table: ConnectionTable<[UInt8]>
        var channels: [Int: any Channel] = [:]
        var next = 0
        var refused = 0
        var replaced = 0
    }

    private let state: Mutex<State>

    init(_ limits: WebServer.Limits) {
        state = Mutex(
            State(table: ConnectionTable(limit: limits.connections, perAddress: limits.perAddress)))
    }

    /// Its number; nil where it is to be closed.
    func enter(_ channel: any Channel) -> Int? {
        let key = Self.key(channel.remoteAddress?.ipAddress)
        let (id, other) = state.withLock { state -> (Int?, (any Channel)?) in
            let id = state.next
            switch state.table.enter(id, from: key) {
            case .refused:
                state.refused += 1
                return (nil, nil)
            case .admitted:
                state.next += 1
                state.channels[id] = channel
                return (id, nil)
            case .replaces(let other):
                state.next += 1
                state.replaced += 1
                state.channels[id] = channel
                return (id, state.channels.removeValue(forKey: other))
            }
        }
        other?.close(promise: nil)
        return id
    }

    func work(_ id: Int) { state.withLock { $0.table.work(id) } }

    func rest(_ id: Int) { state.withLock { $0.table.rest(id) } }

    func leave(_ id: Int) {
        state.withLock { state in
            state.table.leave(id)
            state.channels[id] = nil
        }
    }

    var measures: [Measure] {
        let (open, refused, replaced) = state.withLock { ($0.table.count, $0.refused, $0.replaced) }
        return [
            Measure(
                .gauge, "relais_http_connections", "Connections that are open.", [.init(Double(open))]),
            Measure(
                .counter, "relais_http_connections_ended_total",
                "Connections closed for want of room: the new one, or the one idle for longest.",
                [
                    .init(Double(refused), .init("which", "new")),
                    .init(Double(replaced), .init("which", "idle")),
                ]),
        ]
    }

    /// What counts as one address: of IPv6 the 64 bits that one subscriber has, of an IPv4 inside IPv6 that.
    static func key(_ address: String?) -> [UInt8] {
        guard let address else { return [] }
        var bytes = [UInt8](repeating: 0, count: 16)
        let isLong = unsafe inet_pton(AF_INET6, address, &bytes) == 1
        guard isLong else { return Array(address.utf8) }
        let isMapped = bytes.prefix(12) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255]
        return isMapped
            ? Array(bytes.suffix(4).map(String.init).joined(separator: ".").utf8) : Array(bytes.prefix(8))
    }
}
