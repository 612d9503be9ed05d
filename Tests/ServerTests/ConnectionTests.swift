// SPDX-License-Identifier: Apache-2.0
// Who may stay connected, and what counts as moving on, without a network.

import Testing

@testable import Server

@Suite struct ConnectionTests {
    // MARK: - Pace

    private let start = ContinuousClock.now

    private func beat(
        after seconds: Int, _ pace: inout Pace, isReading: Bool = true, pending: Int? = nil
    ) -> Pace.Finding {
        pace.beat(at: start + .seconds(seconds), isReading: isReading, pending: pending)
    }

    @Test func `a body that comes at less than the least rate is too slow`() {
        var pace = Pace(patience: .seconds(20))
        pace.ask(at: start)
        pace.take(9999, at: start + .seconds(10))
        pace.ask(at: start + .seconds(10))
        #expect(beat(after: 20, &pace) == .slowBody)
        pace.take(10_000, at: start + .seconds(30))
        pace.ask(at: start + .seconds(30))
        #expect(beat(after: 40, &pace) == .moves)
        #expect(beat(after: 60, &pace) == .slowBody)
    }

    @Test func `nobody is slow whose bytes we do not ask for, nor whose body is whole`() {
        var pace = Pace(patience: .seconds(20))
        pace.ask(at: start)
        pace.take(1, at: start + .seconds(9))
        #expect(beat(after: 20, &pace) == .moves)
        #expect(beat(after: 40, &pace) == .moves)
        pace.ask(at: start + .seconds(40))
        #expect(beat(after: 60, &pace, isReading: false) == .moves)
    }

    @Test func `an answer is stuck when hardly any of it goes out from one beat to the next`() {
        var pace = Pace(patience: .seconds(20))
        #expect(beat(after: 20, &pace, isReading: false, pending: 100_000) == .moves)
        #expect(beat(after: 40, &pace, isReading: false, pending: 90_000) == .moves)
        #expect(beat(after: 60, &pace, isReading: false, pending: 80_001) == .stuckAnswer)
        #expect(beat(after: 80, &pace, isReading: false, pending: 80_001) == .stuckAnswer)
        pace.drain()
        #expect(beat(after: 100, &pace, isReading: false, pending: 80_001) == .moves)
        #expect(beat(after: 120, &pace, isReading: false) == .moves)
        #expect(beat(after: 140, &pace, isReading: false, pending: 80_001) == .moves)
    }

    // MARK: - The table

    @Test func `whoever has been idle for longest makes room`() {
        var table = ConnectionTable<String>(limit: 3, perAddress: 10)
        for id in 0..<3 { #expect(table.enter(id, from: "\(id)") == .admitted) }
        table.work(0)
        table.work(1)
        table.rest(1)
        #expect(table.enter(3, from: "3") == .replaces(2))
        #expect(table.enter(4, from: "4") == .replaces(1))
        #expect(table.count == 3)
        table.rest(0)
        #expect(table.enter(5, from: "5") == .replaces(3))
    }

    @Test func `where all work, a new one is refused until one has left`() {
        var table = ConnectionTable<String>(limit: 2, perAddress: 2)
        for id in 0..<2 {
            #expect(table.enter(id, from: "a") == .admitted)
            table.work(id)
        }
        #expect(table.enter(2, from: "b") == .refused)
        table.leave(0)
        table.leave(0)
        #expect(table.count == 1)
        #expect(table.enter(3, from: "b") == .admitted)
    }

    @Test func `an address with too many makes room among its own`() {
        var table = ConnectionTable<String>(limit: 10, perAddress: 2)
        #expect(table.enter(0, from: "b") == .admitted)
        #expect(table.enter(1, from: "a") == .admitted)
        #expect(table.enter(2, from: "a") == .admitted)
        #expect(table.enter(3, from: "a") == .replaces(1))
        table.work(2)
        table.work(3)
        #expect(table.enter(4, from: "a") == .refused)
        #expect(table.enter(5, from: "b") == .admitted)
        table.leave(2)
        #expect(table.enter(6, from: "a") == .admitted)
    }

    @Test func `many requests on few connections leave nothing behind`() {
        var table = ConnectionTable<Int>(limit: 100, perAddress: 100)
        for id in 0..<100 { _ = table.enter(id, from: id) }
        for turn in 0..<100_000 {
            table.work(turn % 99)
            table.rest(turn % 99)
        }
        #expect(table.enter(100, from: 100) == .replaces(99))
    }

    @Test func `an address is an IPv4 one, or the half of IPv6 that one subscriber has`() {
        #expect(OpenConnections.key("2001:db8::1") == OpenConnections.key("2001:db8:0:0:ffff::2"))
        #expect(OpenConnections.key("2001:db8::1") != OpenConnections.key("2001:db8:0:1::1"))
        #expect(OpenConnections.key("::ffff:192.0.2.1") == OpenConnections.key("192.0.2.1"))
        #expect(OpenConnections.key("192.0.2.1") != OpenConnections.key("192.0.2.2"))
    }

    // MARK: - Slots

    @Test func `a slot is free again when nobody keeps it`() throws {
        let slots = Slots(total: 3, each: 2)
        var kept = [try slots.take(for: "a"), try slots.take(for: "a")]
        #expect(throws: ServerError.self) { try slots.take(for: "a") }
        kept.append(try slots.take(for: "b"))
        #expect(throws: ServerError.self) { try slots.take(for: "c") }
        kept.removeFirst()
        kept.append(try slots.take(for: "c"))
        #expect(kept.count == 3)
    }

    @Test func `a process that may open few files keeps some for other things`() {
        let limits = WebServer.Limits()
        #expect(limits.within(files: 1 << 20) == limits)
        #expect(limits.within(files: 1024).connections == 512)
        #expect(limits.within(files: 100).connections == 16)
        #expect(limits.within(files: 100).perAddress == 16)
    }
}
