// SPDX-License-Identifier: Apache-2.0
// Databases with Relais' schema, one for each test that wants its own.

internal import CRM
internal import PostgreSQL

/// A migrated database of the test run's cluster.
package enum TestDatabase {
    /// A copy of the migrated template (about 60 ms), as a connection string.
    package static func migrated() async throws -> String {
        try await TestServer.shared.makeTemplate("migrated") { connection in
            _ = try await Migrator(try Schema.migrations()).migrate(connection)
        }
        return try await TestServer.shared.makeDatabase(template: "migrated")
    }
}
