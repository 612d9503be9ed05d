// SPDX-License-Identifier: Apache-2.0
// Who is connected, and who leaves when there is no room.

/// The open connections, by number.
///
/// Nobody is refused while somebody else holds a connection on which nothing is asked: the one that has been so for
/// longest makes room, of the same address where that has too many, else of all.
struct ConnectionTable<Address: Hashable & Sendable> {
    /// Whether a connection may stay.
    enum Admission: Equatable {
        case admitted
        /// It may, and another one must go.
        case replaces(Int)
        case refused
    }

    private struct Entry {
        let address: Address
        /// Since when nothing is asked, as a count of such moments; nil while an answer is on its way.
        var idleSince: Int?
    }

    private let limit: Int
    private let limitPerAddress: Int
    private var entries: [Int: Entry] = [:]
    private var counts: [Address: Int] = [:]
    private var idle = Queue()
    private var idleByAddress: [Address: Queue] = [:]
    private var moment = 0

    init(limit: Int, perAddress: Int) {
        (self.limit, limitPerAddress) = (limit, perAddress)
    }

    /// How many are open.
    var count: Int { entries.count }

    /// A new connection.
    mutating func enter(_ id: Int, from address: Address) -> Admission {
        var admission = Admission.admitted
        if counts[address, default: 0] >= limitPerAddress {
            guard let other = idleByAddress[address]?.next(in: entries) else { return .refused }
            admission = .replaces(other)
        } else if entries.count >= limit {
            guard let other = idle.next(in: entries) else { return .refused }
            admission = .replaces(other)
        }
        if case .replaces(let other) = admission { leave(other) }
        entries[id] = Entry(address: address)
        counts[address, default: 0] += 1
        rest(id)
        return admission
    }

    /// Something is asked on it.
    mutating func work(_ id: Int) { entries[id]?.idleSince = nil }

    /// All that was asked on it is answered.
    mutating func rest(_ id: Int) {
        guard let address = entries[id]?.address else { return }
        moment += 1
        entries[id]?.idleSince = moment
        idle.add(id, moment, in: entries)
        idleByAddress[address, default: Queue()].add(id, moment, in: entries)
    }

    /// It is closed; once more does nothing.
    mutating func leave(_ id: Int) {
        guard let entry = entries.removeValue(forKey: id) else { return }
        counts[entry.address, default: 1] -= 1
        guard counts[entry.address] == 0 else { return }
        counts[entry.address] = nil
        idleByAddress[entry.address] = nil
    }

    /// Connections in the order in which they became idle; those that work or are gone are passed over.
    private struct Queue {
        private var places: [(id: Int, moment: Int)] = []
        private var first = 0
        private var kept = 16

        mutating func add(_ id: Int, _ moment: Int, in entries: [Int: Entry]) {
            places.append((id, moment))
            guard places.count > kept else { return }
            places = places[first...].filter { entries[$0.id]?.idleSince == $0.moment }
            (first, kept) = (0, max(16, places.count * 2))
        }

        mutating func next(in entries: [Int: Entry]) -> Int? {
            while first < places.count {
                let place = places[first]
                first += 1
                if entries[place.id]?.idleSince == place.moment { return place.id }
            }
            return nil
        }
    }
}
