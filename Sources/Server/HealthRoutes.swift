// SPDX-License-Identifier: Apache-2.0
// `/healthz` and `/readyz`: whether the process lives, and whether it can work.

internal import Diagnostics
internal import Hummingbird
internal import PostgreSQL

/// What a supervisor or a load balancer asks.
struct HealthRoutes: Sendable {
    let pool: Pool

    /// How long the database may take before the node is not ready.
    private static let patience = Duration.seconds(2)

    func add(to router: Router<WebContext>) {
        router.get("healthz") { _, _ in Self.answer(.ok, "ok") }
        router.get("readyz") { _, _ in
            let trouble = await trouble()
            return Self.answer(trouble == nil ? .ok : .serviceUnavailable, trouble ?? "ready")
        }
    }

    /// The code of what keeps this node from working; nil when nothing does.
    private func trouble() async -> String? {
        await withTaskGroup(of: String?.self) { group in
            group.addTask {
                do {
                    _ = try await pool.withConnection { try await $0.run(AdHoc<Int>("select 1::bigint")) }
                    return nil
                } catch {
                    return (error as? any ReportableError)?.diagnostic.code ?? "DATABASE"
                }
            }
            group.addTask {
                try? await Task.sleep(for: Self.patience)
                return "DATABASE-SILENT"
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }

    private static func answer(_ status: HTTPResponse.Status, _ text: String) -> Response {
        Response(
            status: status, headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"],
            body: .init(byteBuffer: .init(string: text + "\n")))
    }
}
