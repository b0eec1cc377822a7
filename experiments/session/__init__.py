"""Who sees what next: plan, schedule, QUEST+, the session, the observer's interface.

Also what a session leaves behind for the analysis.
"""
