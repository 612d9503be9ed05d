// SPDX-License-Identifier: Apache-2.0
// Passwords as scrypt keys: slow to guess, and computed where they hold up nobody else.

internal import Diagnostics
internal import Blocking
internal import Crypto
internal import CryptoExtras
internal import Foundation
internal import Synchronization

/// Hashes passwords and compares them, one after the other: each takes tens of megabytes and of milliseconds.
///
/// - Source: RFC 7914; the cost is one that OWASP's password storage cheat sheet lists (N = 2^15, r = 8, p = 3).
package actor Passwords {
    /// How costly a hash is.
    package struct Cost: Sendable, Hashable {
        /// Binary logarithm of N, from 10 to 20.
        package let logN: Int
        /// Block size.
        package let blockSize: Int
        /// Parallelism.
        package let parallelism: Int

        /// A cost.
        package init(logN: Int = 15, blockSize: Int = 8, parallelism: Int = 3) {
            (self.logN, self.blockSize, self.parallelism) = (logN, blockSize, parallelism)
        }
    }

    /// Characters that a password has at least.
    ///
    /// - Source: NIST SP 800-63B, section 5.1.1.2 asks for 8; a CRM that is open to the Internet wants more.
    package static let least = 12
    /// Characters that are hashed at most.
    package static let most = 1024

    /// Hashes that may wait for their turn: more would keep everybody waiting.
    private static let queueLimit = 32

    private let executor = SerialQueueExecutor(label: "relais.passwords")
    private let cost: Cost
    private let waiting = Mutex(0)

    /// A queue of its own: hashing never holds up the threads that all share.
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
    }

    /// Makes hashes of this cost; those of other costs are still understood.
    package init(cost: Cost = Cost()) {
        self.cost = cost
    }

    /// A password's hash with a salt of its own, as text.
    ///
    /// - Throws: `PASSWORD-SHORT` for fewer than ``least`` characters or more than ``most``, `SIGN-IN-BUSY` when too many
    ///   wait already.
    package nonisolated func hash(_ password: String) async throws -> String {
        guard Self.least...Self.most ~= password.count else {
            throw PeopleError(.password, ["least": String(Self.least)])
        }
        try enterQueue()
        defer { waiting.withLock { $0 -= 1 } }
        return try await makeHash(password)
    }

    private nonisolated func enterQueue() throws {
        let isFull = waiting.withLock { count in
            guard count < Self.queueLimit else { return true }
            count += 1
            return false
        }
        if isFull { throw PeopleError(.busy, retry: .after(.seconds(5))) }
    }

    private func makeHash(_ password: String) throws -> String {
        let salt = (0..<16).map { _ in UInt8.random(in: .min ... .max) }
        let key = try Self.key(password, salt: salt, cost)
        let encoded = [salt, key].map { Data($0).base64EncodedString() }
        return "scrypt$\(cost.logN)$\(cost.blockSize)$\(cost.parallelism)$\(encoded[0])$\(encoded[1])"
    }

    /// Whether a password is the one that was hashed; takes as long where there is no hash, so that nobody learns
    /// from the time which logins exist.
    ///
    /// - Throws: `SIGN-IN-BUSY` when too many wait already.
    package nonisolated func verify(_ password: String, against hash: String?) async throws -> Bool {
        try enterQueue()
        defer { waiting.withLock { $0 -= 1 } }
        return await compare(password, hash)
    }

    private func compare(_ password: String, _ hash: String?) -> Bool {
        let parts = hash?.split(separator: "$").map(String.init) ?? []
        guard password.count <= Self.most else { return false }
        guard parts.count == 6, parts[0] == "scrypt", let logN = Int(parts[1]), 10...20 ~= logN,
            let blockSize = Int(parts[2]), let parallelism = Int(parts[3]),
            let salt = Data(base64Encoded: parts[4]), let expected = Data(base64Encoded: parts[5])
        else {
            _ = try? Self.key(password, salt: Array(repeating: 0, count: 16), cost)
            return false
        }
        let cost = Cost(logN: logN, blockSize: blockSize, parallelism: parallelism)
        guard let key = try? Self.key(password, salt: Array(salt), cost) else { return false }
        // Hashes take the same time to compare whatever the keys are.
        return SHA256.hash(data: key) == SHA256.hash(data: Array(expected))
    }

    private static func key(_ password: String, salt: [UInt8], _ cost: Cost) throws -> [UInt8] {
        // The same characters typed on another keyboard may be other bytes (NIST SP 800-63B: NFKC).
        let text = password.precomposedStringWithCompatibilityMapping
        let key = try KDF.Scrypt.deriveKey(
            from: Array(text.utf8), salt: salt, outputByteCount: 32, rounds: 1 << cost.logN,
            blockSize: cost.blockSize, parallelism: cost.parallelism,
            maxMemory: 256 * cost.blockSize * (1 << cost.logN) + (1 << 20))
        return unsafe key.withUnsafeBytes { unsafe Array($0) }
    }
}
