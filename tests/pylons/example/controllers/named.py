from pylons.controllers import WSGIController

__controller__ = "Other"


class Other(WSGIController):
    def index(self):
        return "named"
