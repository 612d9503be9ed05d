// SPDX-License-Identifier: Apache-2.0
// What a page shows, costs, keeps and complains of.

internal import Foundation

extension Browser {
    /// What a browser keeps for a site.
    package struct Cookie: Sendable, Equatable {
        /// Its name.
        package let name: String
        /// Its value.
        package let value: String
        /// The part of the site that it goes to.
        package let path: String
        /// Whether scripts may not read it.
        package let isHTTPOnly: Bool
        /// Whether it only travels encrypted.
        package let isSecure: Bool
        /// `Strict`, `Lax` or `None`; empty where the site did not say.
        package let sameSite: String
    }

    /// What loading the page took.
    package struct Weight: Sendable, Equatable {
        /// Requests, the page's own included; what came from the cache counts.
        package let requests: Int
        /// Bytes that travelled, with headers, compressed as they were; 0 for what came from the cache.
        package let bytes: Int
    }

    /// The cookies that go to the page, those included that its scripts may not read.
    package var cookies: [Cookie] {
        get async throws {
            try await ask("GET", "/cookie").array.map { cookie in
                Cookie(
                    name: cookie["name"].string ?? "", value: cookie["value"].string ?? "",
                    path: cookie["path"].string ?? "", isHTTPOnly: cookie["httpOnly"] == true,
                    isSecure: cookie["secure"] == true, sameSite: cookie["sameSite"].string ?? "")
            }
        }
    }

    /// Errors and warnings of the console since it was last asked: scripts that fail, files that are missing,
    /// and what the page's policy stopped.
    package func consoleErrors() async throws -> [String] {
        try await post("/se/log", ["type": "browser"]).array
            .filter { ["SEVERE", "WARNING"].contains($0["level"].string) }
            .map { "\($0["level"].string ?? ""): \($0["message"].string ?? "")" }
    }

    /// What loading the page took so far.
    package var weight: Weight {
        get async throws {
            let sizes = try await script(
                """
                return ["navigation", "resource"].flatMap(t => performance.getEntriesByType(t))
                    .filter(e => !e.name.startsWith("data:")).map(e => e.transferSize)
                """
            ).array.compactMap(\.number)
            return Weight(requests: sizes.count, bytes: Int(sizes.reduce(0, +)))
        }
    }

    /// How much moved without the user's doing since the page began: 0 is still.
    ///
    /// - Source: Layout Instability API; the plain sum, which is never below Cumulative Layout Shift.
    package var layoutShift: Double {
        get async throws {
            // Old entries come in a task of their own, and a page that stood still has none to wait for.
            try await script(
                """
                return new Promise(done => {
                    let sum = 0;
                    new PerformanceObserver(list => {
                        for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
                    }).observe({type: "layout-shift", buffered: true});
                    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(sum), 50)));
                })
                """
            ).number ?? 0
        }
    }

    /// Whether the page is wider than its window.
    package var scrollsSideways: Bool {
        get async throws {
            let root = "document.documentElement"
            return try await script("return \(root).scrollWidth > \(root).clientWidth") == true
        }
    }

    /// Writes what is seen as PNG.
    package func screenshot(to path: String, wholePage: Bool = false) async throws {
        var parameters: [String: WebValue] = ["format": "png"]
        if wholePage {
            let size = try await command("Page.getLayoutMetrics", [:])["cssContentSize"]
            parameters["captureBeyondViewport"] = true
            parameters["clip"] = [
                "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1,
            ]
        }
        let picture = try await command("Page.captureScreenshot", .object(parameters))["data"].string
        guard let data = picture.flatMap({ Data(base64Encoded: $0) }) else {
            throw BrowserError(code: "no picture", message: path)
        }
        try data.write(to: URL(filePath: path))
    }
}
