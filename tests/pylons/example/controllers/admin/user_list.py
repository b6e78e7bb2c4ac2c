from pylons.controllers import WSGIController


class UserListController(WSGIController):
    def index(self):
        return "users"
